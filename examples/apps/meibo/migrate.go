package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const lockSeconds = 60

// migrations run once each, in this order, by whichever task comes first. Never change one that has been released: add another.
var migrations = []string{
	`CREATE TABLE IF NOT EXISTS users (
	   user_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	   name VARCHAR(100) NOT NULL,
	   department VARCHAR(100) NOT NULL DEFAULT '',
	   email VARCHAR(100) NOT NULL DEFAULT '',
	   created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
	 ) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
	`INSERT INTO users (name, department, email)
	   SELECT * FROM (
	     SELECT '佐藤 花子' AS name, '総務部' AS department, 'hanako@example.com' AS email
	     UNION ALL SELECT '鈴木 一郎', '開発部', 'ichiro@example.com'
	     UNION ALL SELECT 'Maria Keller', '営業部', 'maria@example.com'
	   ) AS first_users
	   WHERE NOT EXISTS (SELECT 1 FROM users)`,
}

// migrate brings the schema up to date and tells how many migrations it applied. Tasks that start together wait for each other:
// the lock belongs to the connection, so it is gone with a task that dies while it migrates.
func migrate(ctx context.Context, database *sql.DB) (int, error) {
	connection, err := database.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	var locked sql.NullInt64
	if err := connection.QueryRowContext(ctx, "SELECT GET_LOCK('meibo migrations', 0)").Scan(&locked); err != nil {
		return 0, err
	}
	if locked.Int64 != 1 {
		if err := waitForLock(ctx, connection); err != nil {
			return 0, err
		}
	}
	defer connection.ExecContext(context.Background(), "SELECT RELEASE_LOCK('meibo migrations')")
	return applyAll(ctx, connection)
}

// waitForLock asks again and again in place of one long query, which the driver's read timeout would end.
func waitForLock(ctx context.Context, connection *sql.Conn) error {
	for waited := 0; waited < lockSeconds; waited++ {
		var locked sql.NullInt64
		if err := connection.QueryRowContext(ctx, "SELECT GET_LOCK('meibo migrations', 1)").Scan(&locked); err != nil {
			return err
		}
		if locked.Int64 == 1 {
			return nil
		}
	}
	return fmt.Errorf("another task has held the lock of the migrations for %d seconds", lockSeconds)
}

func applyAll(ctx context.Context, connection *sql.Conn) (int, error) {
	const table = "CREATE TABLE IF NOT EXISTS migrations (number INT NOT NULL PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
	if _, err := connection.ExecContext(ctx, table); err != nil {
		return 0, err
	}
	applied := 0
	for index, statement := range migrations {
		var found int
		err := connection.QueryRowContext(ctx, "SELECT number FROM migrations WHERE number = ?", index+1).Scan(&found)
		if err == nil {
			continue
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return applied, err
		}
		if _, err := connection.ExecContext(ctx, statement); err != nil {
			return applied, fmt.Errorf("migration %d: %w", index+1, err)
		}
		if _, err := connection.ExecContext(ctx, "INSERT INTO migrations (number) VALUES (?)", index+1); err != nil {
			return applied, err
		}
		applied++
	}
	return applied, nil
}
