"""Declarations of every table: what comes in, the book, the journal, the reports."""
