"""ERPNext (14 and later) as a source, through the REST interface of Frappe, the framework that it is built on."""
