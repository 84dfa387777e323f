"""What tests share: servers, processes, keys and models."""
