# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a stack: what is in it (view), where it stands (place, lines), and its DOT source (dot). Pure but for live."""
