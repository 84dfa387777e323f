"""The page that asks for the token. The rule: it needs nothing else, and holds nothing of ours."""

from __future__ import annotations

from html import escape

__all__ = ('login_page',)

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>IndexedRedis admin: token</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; background: #f6f8fb; color: #182433; margin: 0;
        display: grid; min-height: 100vh; place-items: center; }}
form {{ background: #fff; border: 1px solid #dce1e7; border-radius: 6px; padding: 2rem;
        width: min(22rem, calc(100vw - 6rem)); }}
h1 {{ font-size: 1.2rem; margin: 0 0 1rem; }}
input, button {{ font: inherit; box-sizing: border-box; width: 100%; padding: .5rem .75rem;
                 border: 1px solid #b8c0cc; border-radius: 4px; margin: .25rem 0 1rem; }}
button {{ background: #066fd1; border-color: #066fd1; color: #fff; cursor: pointer; margin: 0; }}
p {{ color: #b3261e; margin: 0 0 1rem; }}
</style></head>
<body><form method="post" autocomplete="off"><h1>IndexedRedis admin</h1>{error}
<label for="token">Token</label>
<input id="token" name="token" type="password" autofocus required autocomplete="off">
<button type="submit">Sign in</button></form></body></html>
"""


def login_page(error: str = '') -> str:
    """Return the page, with a message if there is one."""
    return PAGE.format(error=f'<p role="alert">{escape(error)}</p>' if error else '')
