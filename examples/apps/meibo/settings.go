package main

import (
	"fmt"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// settings is what the environment says; see README.md.
type settings struct {
	host, user, password, name, tls string
	port                            int
}

func settingsFrom(getenv func(string) string) (settings, error) {
	found := settings{
		host: getenv("DB_HOST"), user: getenv("DB_USER"), password: getenv("DB_PASSWORD"), name: getenv("DB_NAME"),
		tls: getenv("DB_TLS"), port: 3306,
	}
	for name, value := range map[string]string{
		"DB_HOST": found.host, "DB_USER": found.user, "DB_PASSWORD": found.password, "DB_NAME": found.name,
	} {
		if value == "" {
			return found, fmt.Errorf("%s is not set: give the task definition this variable", name)
		}
	}
	if text := getenv("DB_PORT"); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			return found, fmt.Errorf("DB_PORT is '%s': expected a port from 1 to 65535", text)
		}
		found.port = port
	}
	switch found.tls {
	case "":
		found.tls = "preferred"
	case "true", "false", "skip-verify", "preferred":
	default:
		return found, fmt.Errorf("DB_TLS is '%s': expected true, skip-verify, preferred or false", found.tls)
	}
	return found, nil
}

// dsn is the driver's connection string. It holds the password: never log it.
func (s settings) dsn() string {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", fmt.Sprintf("%s:%d", s.host, s.port)
	config.User, config.Passwd, config.DBName = s.user, s.password, s.name
	config.TLSConfig, config.ParseTime, config.Collation = s.tls, true, "utf8mb4_unicode_ci"
	config.Timeout, config.ReadTimeout, config.WriteTimeout = connectTimeout, queryTimeout, queryTimeout
	config.RejectReadOnly = true // after a failover, leave a connection to what is a reader now
	return config.FormatDSN()
}
