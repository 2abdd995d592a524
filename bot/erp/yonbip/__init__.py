"""Adapter for Yonyou YonSuite

YonBIP through its open platform (docs: platform/erp/yonbip.md).
"""
