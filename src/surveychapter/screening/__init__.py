"""Data questioned before they are used: ``sc.audit`` and the checks it runs."""
