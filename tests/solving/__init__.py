"""Inputs, budgets, windows and mirrors solved for."""
