"""The ledger that several hosts share, in PostgreSQL. Imported only where a url is configured."""
