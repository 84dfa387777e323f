"""An admin page: browse, search and edit the objects of models in a browser.

    IndexedRedis.admin.mount(app, models=[Artist, Track], token=os.environ['ADMIN_TOKEN'])

The rule: without a token only this machine can read, without ``readOnly=False`` nobody can write,
and a page shows what is stored. Needs the extra ``admin``.
"""

from __future__ import annotations

from ..errors import MissingExtraError

try:
    import starlette_admin as _starlette_admin  # noqa: F401  (imported here for a clear error)
except ImportError:
    raise MissingExtraError('admin', 'IndexedRedis.admin') from None

from .site import mount

__all__ = ('mount',)
