// Meibo is a roster: people with a department and an address, as JSON for programs and as a page for people.
package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	address       = ":8080"
	databaseWait  = 60 * time.Second // how long a start waits for a database that does not answer yet
	shutdownGrace = 20 * time.Second // below the 30 seconds that ECS gives a task between SIGTERM and SIGKILL
)

func main() {
	log := newLogger(os.Stdout)
	if err := run(log); err != nil {
		log.write("error", "stopped", fields{"error": err.Error()})
		os.Exit(1)
	}
	log.write("info", "stopped", nil)
}

func run(log *logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	settings, err := settingsFrom(os.Getenv)
	if err != nil {
		return err
	}
	database, err := sql.Open("mysql", settings.dsn())
	if err != nil {
		return err
	}
	defer database.Close()
	database.SetMaxOpenConns(10)
	database.SetMaxIdleConns(10)
	database.SetConnMaxLifetime(3 * time.Minute) // so that a failed-over endpoint is looked up anew
	if err := waitFor(ctx, database, databaseWait, log); err != nil {
		return err
	}
	applied, err := migrate(ctx, database)
	if err != nil {
		return err
	}
	log.write("info", "migrated", fields{"applied": applied})
	return serve(ctx, newHandler(&roster{database}, servedBy(), log), log)
}

// refusals are answers of a database that is there and will say the same again: no right to it, a wrong password, no such database.
var refusals = map[uint16]bool{1044: true, 1045: true, 1049: true}

func waitFor(ctx context.Context, database *sql.DB, limit time.Duration, log *logger) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := database.PingContext(ctx)
		if err == nil {
			return nil
		}
		var refusal *mysql.MySQLError
		if errors.As(err, &refusal) && refusals[refusal.Number] {
			return err
		}
		log.write("warning", "the database does not answer", fields{"error": err.Error()})
		select {
		case <-ctx.Done():
			return err
		case <-time.After(2 * time.Second):
		}
	}
}

// serve answers until the context ends, then lets requests under way come to their end.
func serve(ctx context.Context, handler http.Handler, log *logger) error {
	server := &http.Server{
		Addr: address, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: 75 * time.Second, // above the load balancer's 60, so that the load balancer is the one who hangs up
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.write("info", "listening", fields{"address": address})
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.write("info", "stopping", nil)
	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// servedBy names the task: on Fargate the host's name holds its private address.
func servedBy() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
