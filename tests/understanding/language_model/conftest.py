from __future__ import annotations

from .fake_model import fake

__all__ = ["fake"]
