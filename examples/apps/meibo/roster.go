package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	connectTimeout = 3 * time.Second
	queryTimeout   = 5 * time.Second
)

var errNotFound = errors.New("there is no such user")

// user is one person of the roster.
type user struct {
	ID         int64     `json:"user_id"`
	Name       string    `json:"name"`
	Department string    `json:"department"`
	Email      string    `json:"email"`
	CreatedAt  time.Time `json:"created_at"`
}

// problem is something that the caller can put right.
type problem string

func (p problem) Error() string { return string(p) }

// checked is the user as it is kept, or what is wrong with it.
func (u user) checked() (user, error) {
	u.Name, u.Department, u.Email = strings.TrimSpace(u.Name), strings.TrimSpace(u.Department), strings.TrimSpace(u.Email)
	if u.Name == "" {
		return u, problem("name is missing")
	}
	for name, value := range map[string]string{"name": u.Name, "department": u.Department, "email": u.Email} {
		if utf8.RuneCountInString(value) > 100 {
			return u, problem(name + " is longer than 100 characters")
		}
	}
	if u.Email != "" && !strings.Contains(u.Email, "@") {
		return u, problem("email has no @")
	}
	return u, nil
}

// store is where users are kept.
type store interface {
	list(ctx context.Context) ([]user, error)
	read(ctx context.Context, id int64) (user, error)
	create(ctx context.Context, wanted user) (user, error)
	update(ctx context.Context, wanted user) (user, error)
	remove(ctx context.Context, id int64) error
	ping(ctx context.Context) error
}

// roster keeps users in MySQL.
type roster struct{ database *sql.DB }

const columns = "SELECT user_id, name, department, email, created_at FROM users"

func (r *roster) list(ctx context.Context) ([]user, error) {
	rows, err := r.database.QueryContext(ctx, columns+" ORDER BY user_id LIMIT 1000")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []user{}
	for rows.Next() {
		var next user
		if err := rows.Scan(&next.ID, &next.Name, &next.Department, &next.Email, &next.CreatedAt); err != nil {
			return nil, err
		}
		found = append(found, next)
	}
	return found, rows.Err()
}

func (r *roster) read(ctx context.Context, id int64) (user, error) {
	var found user
	row := r.database.QueryRowContext(ctx, columns+" WHERE user_id = ?", id)
	err := row.Scan(&found.ID, &found.Name, &found.Department, &found.Email, &found.CreatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, errNotFound
	}
	return found, err
}

func (r *roster) create(ctx context.Context, wanted user) (user, error) {
	made, err := r.database.ExecContext(
		ctx, "INSERT INTO users (name, department, email) VALUES (?, ?, ?)", wanted.Name, wanted.Department, wanted.Email,
	)
	if err != nil {
		return user{}, err
	}
	id, err := made.LastInsertId()
	if err != nil {
		return user{}, err
	}
	return r.read(ctx, id)
}

func (r *roster) update(ctx context.Context, wanted user) (user, error) {
	_, err := r.database.ExecContext(
		ctx, "UPDATE users SET name = ?, department = ?, email = ? WHERE user_id = ?",
		wanted.Name, wanted.Department, wanted.Email, wanted.ID,
	)
	if err != nil {
		return user{}, err
	}
	return r.read(ctx, wanted.ID) // an update that changes nothing counts no row, so only reading tells who is missing
}

func (r *roster) remove(ctx context.Context, id int64) error {
	done, err := r.database.ExecContext(ctx, "DELETE FROM users WHERE user_id = ?", id)
	if err != nil {
		return err
	}
	if count, err := done.RowsAffected(); err != nil || count == 0 {
		if err == nil {
			err = errNotFound
		}
		return err
	}
	return nil
}

func (r *roster) ping(ctx context.Context) error {
	var one int
	return r.database.QueryRowContext(ctx, "SELECT 1 FROM users UNION SELECT 1 LIMIT 1").Scan(&one)
}
