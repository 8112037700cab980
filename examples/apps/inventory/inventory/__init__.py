"""The site: settings, routes and what every answer carries."""

import pymysql

pymysql.install_as_MySQLdb()  # before Django looks for its MySQL driver
