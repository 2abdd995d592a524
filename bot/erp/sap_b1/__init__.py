"""Adapter for SAP Business One through its Service Layer (docs: platform/erp/sap-b1.md)."""
