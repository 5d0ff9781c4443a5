"""The command `safeconduct`: one module for each group of commands. What is slow to import is imported inside them."""
