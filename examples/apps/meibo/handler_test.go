package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// memory keeps users in a map: the handler's tests need no database.
type memory struct {
	users  map[int64]user
	last   int64
	broken error
}

func (m *memory) list(context.Context) ([]user, error) {
	found := []user{}
	for id := int64(1); id <= m.last; id++ {
		if next, there := m.users[id]; there {
			found = append(found, next)
		}
	}
	return found, m.broken
}

func (m *memory) read(_ context.Context, id int64) (user, error) {
	found, there := m.users[id]
	if !there {
		return user{}, errNotFound
	}
	return found, m.broken
}

func (m *memory) create(_ context.Context, wanted user) (user, error) {
	m.last++
	wanted.ID = m.last
	m.users[wanted.ID] = wanted
	return wanted, m.broken
}

func (m *memory) update(ctx context.Context, wanted user) (user, error) {
	if _, err := m.read(ctx, wanted.ID); err != nil {
		return user{}, err
	}
	m.users[wanted.ID] = wanted
	return wanted, nil
}

func (m *memory) remove(ctx context.Context, id int64) error {
	if _, err := m.read(ctx, id); err != nil {
		return err
	}
	delete(m.users, id)
	return nil
}

func (m *memory) ping(context.Context) error { return m.broken }

type site struct {
	users   *memory
	handler http.Handler
	log     *bytes.Buffer
}

func newSite() *site {
	users, log := &memory{users: map[int64]user{}}, &bytes.Buffer{}
	return &site{users, newHandler(users, "ip-10-0-1-7", newLogger(log)), log}
}

func (s *site) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder
}

func expect(t *testing.T, got *httptest.ResponseRecorder, status int, part string) {
	t.Helper()
	if got.Code != status || !strings.Contains(got.Body.String(), part) {
		t.Fatalf("got %d %s, expected %d with %q", got.Code, got.Body, status, part)
	}
}

func TestAUserIsCreatedReadChangedAndDeleted(t *testing.T) {
	s := newSite()
	expect(t, s.call("GET", "/users", ""), 200, "[]")
	made := s.call("POST", "/users", `{"name": " 佐藤 花子 ", "department": "総務部"}`)
	expect(t, made, 201, `"name":"佐藤 花子"`)
	if made.Header().Get("Location") != "/users/1" {
		t.Fatalf("Location is %q", made.Header().Get("Location"))
	}
	expect(t, s.call("GET", "/users/1", ""), 200, "総務部")
	expect(t, s.call("PUT", "/users/1", `{"name": "佐藤 花子", "department": "開発部"}`), 200, "開発部")
	expect(t, s.call("GET", "/users", ""), 200, "開発部")
	expect(t, s.call("DELETE", "/users/1", ""), 204, "")
	expect(t, s.call("GET", "/users/1", ""), 404, "no such user")
}

func TestWhatIsWrongIsTold(t *testing.T) {
	s := newSite()
	for body, message := range map[string]string{
		"no json":             "no JSON object",
		`{"department": "x"}`: "name is missing",
		`{"name": "` + strings.Repeat("x", 101) + `"}`: "longer than 100",
		`{"name": "x", "email": "nobody"}`:             "no @",
	} {
		expect(t, s.call("POST", "/users", body), 400, message)
	}
	for _, path := range []string{"/users/7", "/users/seven", "/nowhere"} {
		expect(t, s.call("GET", path, ""), 404, "there is no such")
	}
	expect(t, s.call("PATCH", "/users", ""), 405, "not possible")
}

func TestHealthFollowsTheDatabase(t *testing.T) {
	s := newSite()
	expect(t, s.call("GET", "/health", ""), 200, "ok")
	s.users.broken = errors.New("connection refused")
	expect(t, s.call("GET", "/health", ""), 503, "does not answer")
	if strings.Contains(s.call("GET", "/users", "").Body.String(), "refused") {
		t.Fatal("what the database said belongs in the log alone")
	}
}

func TestEveryAnswerNamesTheTask(t *testing.T) {
	for _, path := range []string{"/", "/users", "/health", "/nowhere"} {
		if name := newSite().call("GET", path, "").Header().Get("X-Served-By"); name != "ip-10-0-1-7" {
			t.Fatalf("%s was served by %q", path, name)
		}
	}
}

func TestThePageShowsPeopleAndTakesNewOnes(t *testing.T) {
	s := newSite()
	form := url.Values{"name": {"<b>Maria</b>"}, "department": {"営業部"}}.Encode()
	kind := []string{"Content-Type", "application/x-www-form-urlencoded"}
	expect(t, s.call("POST", "/", form, kind...), 303, "")
	shown := s.call("GET", "/", "")
	expect(t, shown, 200, "&lt;b&gt;Maria&lt;/b&gt;")
	expect(t, s.call("POST", "/", "name=", kind...), 400, "name is missing")
	expect(t, s.call("POST", "/", form, append(kind, "Origin", "http://elsewhere.example")...), 403, "another site")
}

func TestAPageOfAnotherSiteWritesNothing(t *testing.T) {
	s, ada := newSite(), `{"name": "Ada"}`
	expect(t, s.call("POST", "/users", ada, "Origin", "http://example.com"), 201, "Ada") // httptest's own host
	for _, origin := range []string{"http://elsewhere.example", "null"} {
		for _, request := range [][]string{{"POST", "/"}, {"POST", "/users"}, {"PUT", "/users/1"}, {"DELETE", "/users/1"}} {
			// A browser sends text/plain to another site without asking there first.
			got := s.call(request[0], request[1], `{"name": "Eva"}`, "Origin", origin, "Content-Type", "text/plain")
			expect(t, got, 403, "another site")
		}
	}
	expect(t, s.call("GET", "/users", "", "Origin", "http://elsewhere.example"), 200, `"name":"Ada"`)
	if len(s.users.users) != 1 {
		t.Fatalf("there are %d users", len(s.users.users))
	}
}

func TestRequestsAreLoggedAsOneJSONObjectALine(t *testing.T) {
	s := newSite()
	s.call("GET", "/users", "", "X-Amzn-Trace-Id", "Root=1-2-3")
	s.call("GET", "/health", "")
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	var entry map[string]interface{}
	if err := json.Unmarshal([]byte(lines[0]), &entry); err != nil || len(lines) != 1 {
		t.Fatalf("logged %q", s.log)
	}
	if entry["path"] != "/users" || entry["status"] != 200.0 || entry["trace"] != "Root=1-2-3" {
		t.Fatalf("logged %v", entry)
	}
}
