# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what a stack wants (want), what AWS holds (found), and what would change (compare). Pure, but for sweep."""
