// Reads a list of requests from standard input, and answers each in its place. Bytes are Base64.
import * as age from "age-encryption";

const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const text = (content) => Buffer.from(content).toString("base64");

async function encrypt({ recipients, content, armored }) {
  const encrypter = new age.Encrypter();
  recipients.forEach((recipient) => encrypter.addRecipient(recipient));
  const sealed = await encrypter.encrypt(bytes(content));
  return text(armored ? Buffer.from(age.armor.encode(sealed)) : sealed);
}

async function decrypt({ identities, sealed, armored }) {
  const decrypter = new age.Decrypter();
  identities.forEach((identity) => decrypter.addIdentity(identity));
  const file = armored ? age.armor.decode(bytes(sealed).reduce((all, code) => all + String.fromCharCode(code), "")) : bytes(sealed);
  return text(await decrypter.decrypt(file));
}

async function keygen({ hybrid }) {
  const secret = hybrid ? await age.generateHybridIdentity() : await age.generateX25519Identity();
  return { secret, recipient: await age.identityToRecipient(secret) };
}

let requests = "";
for await (const chunk of process.stdin) requests += chunk;
const answers = [];
for (const request of JSON.parse(requests)) {
  try {
    answers.push({ answer: await { encrypt, decrypt, keygen }[request.do](request) });
  } catch (error) {
    answers.push({ error: String(error.message) });
  }
}
process.stdout.write(JSON.stringify(answers));
