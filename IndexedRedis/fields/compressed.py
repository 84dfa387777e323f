"""``IRCompressedField``: text or bytes, stored compressed; a fetch decompresses up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, Unpack

from ..encoding import tobytes
from ..errors import ValueTooLargeError
from ..generics import I, N
from .base import IRField, immutable_value
from .base.field import Listed
from .bytes_field import bytes_or_text
from .null import irNull

__all__ = (
    'COMPRESS_MODE_BZ2',
    'COMPRESS_MODE_LZMA',
    'COMPRESS_MODE_ZLIB',
    'IRCompressedField',
)

COMPRESS_MODE_ZLIB = 'zlib'
COMPRESS_MODE_BZ2 = 'bz2'
COMPRESS_MODE_LZMA = 'lzma'

DEFAULT_MAX_SIZE = 64 * 1024 * 1024


class _Mode(NamedTuple):
    name: str
    magic: bytes
    compress: Callable[[Any, bytes], bytes]
    decompressor: Callable[[Any], Any]

    @property
    def module(self) -> Any:
        """The module that compresses, imported at the first use."""
        return import_module(self.name)


# Index keys are md5 sums of the compressed bytes, so levels and containers must stay.
_MODES = {
    COMPRESS_MODE_ZLIB: _Mode(
        'zlib', b'x\xda', lambda zlib, v: zlib.compress(v, 9), lambda zlib: zlib.decompressobj()
    ),
    COMPRESS_MODE_BZ2: _Mode(
        'bz2', b'BZh9', lambda bz2, v: bz2.compress(v, 9), lambda bz2: bz2.BZ2Decompressor()
    ),
    COMPRESS_MODE_LZMA: _Mode(
        *('lzma', b'\xfd7zXZ'),
        *(lambda lzma, v: lzma.compress(v), lambda lzma: lzma.LZMADecompressor()),
    ),
}
_ALIASES = {'gzip': 'zlib', 'gz': 'zlib', 'bzip2': 'bz2', 'xz': 'lzma'}


class IRCompressedField(IRField[Any, N, I]):
    """A field that is stored compressed; its index keys always hold an md5.

    The attribute holds the assigned text or bytes; after a fetch it holds bytes.

    :param name: name of the field
    :param compressMode: ``'zlib'`` (or ``'gzip'``, ``'gz'``), ``'bz2'`` (``'bzip2'``) or ``'lzma'``
        (``'xz'``)
    :param defaultValue: the default value
    :param maxSize: the largest decompressed size of a fetched value, in bytes
    :raises ValueError: if ``compressMode`` is another text
    """

    CAN_INDEX = True
    hashIndex = True

    def __init__(
        self,
        name: str = '',
        compressMode: str = COMPRESS_MODE_ZLIB,
        defaultValue: Any = irNull,
        maxSize: int = DEFAULT_MAX_SIZE,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, valueType=bytes, defaultValue=defaultValue, hashIndex=True, **listed)
        self.CAN_INDEX = True
        mode = _ALIASES.get(compressMode, compressMode)
        if mode not in _MODES:
            known = ', '.join([*_MODES, *_ALIASES])
            raise ValueError(f'compressMode={compressMode!r} is unknown; use one of {known}.')
        self.compressMode = mode
        self.maxSize = maxSize

    def getCompressMod(self) -> ModuleType:
        """Return the module of Python that compresses."""
        module: ModuleType = _MODES[self.compressMode].module
        return module

    def _fromInput(self, value: Any) -> Any:
        return bytes_or_text(value)

    def _toStorage(self, value: Any) -> Any:
        plain = tobytes(value)
        mode = _MODES[self.compressMode]
        return mode.compress(mode.module, plain) if plain else b''

    @immutable_value(eager=False)
    def _fromStorage(self, stored: Any) -> Any:
        mode = _MODES[self.compressMode]
        # 6.0.3 stored bytes without the magic uncompressed.
        return self._inflate(mode, stored) if stored.startswith(mode.magic) else stored

    def _inflate(self, mode: _Mode, stored: bytes) -> bytes:
        decompressor = mode.decompressor(mode.module)
        plain: bytes = decompressor.decompress(stored, self.maxSize + 1)
        if len(plain) > self.maxSize:
            raise ValueTooLargeError(
                f'it inflates to more than {self.maxSize} bytes; if the value is genuine, raise '
                'the maxSize of the field'
            )
        if not decompressor.eof:
            raise ValueError('the compressed data ends too early')
        return plain

    def _properties(self) -> list[tuple[str, Any]]:
        return [
            ('compressMode', repr(self.compressMode)),
            ('defaultValue', repr(self.defaultValue)),
        ]
