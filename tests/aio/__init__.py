"""asyncio as its users meet it."""
