"""What a page calls: ``from coursepages import teach``."""

from .checks import check
from .figures import figure, start
from .guesses import guess, reveal
from .prose import say

__all__ = ["check", "figure", "guess", "reveal", "say", "start"]
