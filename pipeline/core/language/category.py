"""What does a column tell about a person or a business?"""

from enum import Enum


class Category(Enum):
    """What a column tells about a person or a business."""

    DIRECT_IDENTIFIER = "direct identifier"
    QUASI_IDENTIFIER = "quasi-identifier"
    SENSITIVE = "sensitive"
    FREE_TEXT = "free text"
    PLAIN = "plain"
