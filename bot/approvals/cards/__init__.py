"""What people see of cases: views, who gets to see which, and the answers to what people say."""
