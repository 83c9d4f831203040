"""Figures, receipts and exports of what is stored."""
