"""The web page and its interface: read-only views of the ledger (extra `web`)."""
