"""What commands show, on terminals and pages."""
