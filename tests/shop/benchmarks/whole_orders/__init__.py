"""Whole orders through the real service over HTTP: their cost, their rate, and how fast it answers.

    python -m tests.shop.benchmarks.whole_orders [--store postgres|node] [--rate 60 --seconds 60]

A whole order is placed, fulfilled, and in all views. Each role of the service, each server and the
customers are processes of their own. Milliseconds of the processor hold on a machine that is busy
with other things; rates and latencies need a quiet one.
"""
