"""SAP Business One through its Service Layer (ERP sheet, chapter 5)."""
