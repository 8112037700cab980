"""The site: settings, routes and what every answer carries."""
