package main

import (
	"strings"
	"testing"
)

func environment(changes ...string) func(string) string {
	values := map[string]string{"DB_HOST": "db", "DB_USER": "meibo", "DB_PASSWORD": "pass/word@:", "DB_NAME": "meibo"}
	for i := 0; i < len(changes); i += 2 {
		values[changes[i]] = changes[i+1]
	}
	return func(name string) string { return values[name] }
}

func TestTheEnvironmentSaysWhereTheDatabaseIs(t *testing.T) {
	found, err := settingsFrom(environment())
	if err != nil || found.port != 3306 || found.tls != "preferred" {
		t.Fatalf("found %v, %v", found, err)
	}
	if dsn := found.dsn(); !strings.HasPrefix(dsn, "meibo:pass/word@:@tcp(db:3306)/meibo?") {
		t.Fatalf("dsn is %s", dsn)
	}
}

func TestAWrongVariableIsNamed(t *testing.T) {
	for _, wrong := range [][]string{{"DB_HOST", ""}, {"DB_PASSWORD", ""}, {"DB_PORT", "http"}, {"DB_TLS", "yes"}} {
		_, err := settingsFrom(environment(wrong...))
		if err == nil || !strings.Contains(err.Error(), wrong[0]) || strings.Contains(err.Error(), "pass/word") {
			t.Fatalf("%v: %v", wrong, err)
		}
	}
}
