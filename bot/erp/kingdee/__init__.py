"""Adapter for Kingdee 云星空 (K/3 Cloud) through its WebAPI (docs: platform/erp/kingdee.md)."""
