"""How this machine starts us: crontab, systemd."""
