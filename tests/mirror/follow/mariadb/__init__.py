"""Following MariaDB."""
