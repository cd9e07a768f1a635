"""The program whose commands and settings the reference describes: the one line of it to change."""

from infrastructure.shop.program import PROGRAM as PROGRAM
