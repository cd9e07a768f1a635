"""How questions are put: requests as the protocol has them, answers in their normal form."""
