"""Yonyou YonSuite / YonBIP through its open platform (ERP sheet, chapter 2A)."""
