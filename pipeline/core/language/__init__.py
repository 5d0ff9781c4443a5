"""What may a file of the catalogue say? Models only: strict, frozen, without a verb. The rest of `core` compiles them."""
