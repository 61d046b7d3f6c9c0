"""Who may do what: challenges, passwords, levels, and what is refused."""
