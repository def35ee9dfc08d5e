"""Files of banks: BAI2, NACHA returns, ISO 20022 camt.053 and camt.054, on their way into the landing.

Each format has a reader that checks every control of the file before anything is made of it, so that a file that is
cut off, doubled or changed lands not at all. What the readers return is the same for all (`entries`): payments, returns
of payments, and others that are no business of this ledger. `landing_rows` makes landing rows of the first two;
`receiving` lands them with other files, keeps the file as it came, and counts.
"""
