package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// connect reaches the database that tests/with_database has started. Without one these tests are skipped, and say so.
func connect(t *testing.T) *sql.DB {
	t.Helper()
	if os.Getenv("DB_HOST") == "" {
		t.Skip("DB_HOST is not set: run this by tests/with_database")
	}
	found, err := settingsFrom(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	database, err := sql.Open("mysql", found.dsn())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	for _, table := range []string{"users", "migrations"} {
		if _, err := database.Exec("DROP TABLE IF EXISTS " + table); err != nil {
			t.Fatal(err)
		}
	}
	return database
}

func TestTasksThatStartTogetherMigrateOnce(t *testing.T) {
	database, ctx := connect(t), context.Background()
	var wait sync.WaitGroup
	counts, failures := make(chan int, 5), make(chan error, 5)
	for task := 0; task < 5; task++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			applied, err := migrate(ctx, database)
			counts <- applied
			failures <- err
		}()
	}
	wait.Wait()
	total := 0
	for task := 0; task < 5; task++ {
		if err := <-failures; err != nil {
			t.Fatal(err)
		}
		total += <-counts
	}
	if total != len(migrations) {
		t.Fatalf("%d migrations were applied, expected %d", total, len(migrations))
	}
	users, err := (&roster{database}).list(ctx)
	if err != nil || len(users) != 3 || users[0].Name != "佐藤 花子" {
		t.Fatalf("the first users are %v, %v", users, err)
	}
}

func TestUsersAreKeptInTheDatabase(t *testing.T) {
	database, ctx := connect(t), context.Background()
	if _, err := migrate(ctx, database); err != nil {
		t.Fatal(err)
	}
	users := &roster{database}
	made, err := users.create(ctx, user{Name: "O'Brien'; DROP TABLE users", Department: "開発部"})
	if err != nil || made.ID == 0 || made.CreatedAt.IsZero() {
		t.Fatalf("made %v, %v", made, err)
	}
	made.Department = "営業部"
	for range []int{1, 2} { // the second one changes nothing and is no error
		if changed, err := users.update(ctx, made); err != nil || changed.Department != "営業部" {
			t.Fatalf("changed %v, %v", changed, err)
		}
	}
	if err := users.remove(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	_, read := users.read(ctx, made.ID)
	_, update := users.update(ctx, made)
	for _, err := range []error{read, update, users.remove(ctx, made.ID)} {
		if !errors.Is(err, errNotFound) {
			t.Fatalf("expected %v, got %v", errNotFound, err)
		}
	}
	if err := users.ping(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseThatRefusesIsNotWaitedFor(t *testing.T) {
	connect(t)
	found, err := settingsFrom(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	found.name = "nowhere"
	database, err := sql.Open("mysql", found.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	began := time.Now()
	err = waitFor(context.Background(), database, time.Minute, newLogger(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "nowhere") || time.Since(began) > 30*time.Second {
		t.Fatalf("got %v after %s, expected a refusal at once that names the database", err, time.Since(began))
	}
}
