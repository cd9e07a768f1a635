"""The library: which copy of a book is lent to whom."""
