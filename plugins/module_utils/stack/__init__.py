# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as data: what is wanted (validate, recipe) and what stands (guard, read, shape)."""
