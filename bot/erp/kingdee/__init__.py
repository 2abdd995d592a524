"""Kingdee 云星空 (K/3 Cloud) through its WebAPI (ERP sheet, chapter 1)."""
