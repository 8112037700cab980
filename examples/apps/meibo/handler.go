package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

const largestBody = 64 << 10

// handler answers every request; see README.md for what it offers.
type handler struct {
	users    store
	servedBy string
	log      *logger
}

func newHandler(users store, servedBy string, log *logger) http.Handler {
	return &handler{users, servedBy, log}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	header := seen.Header()
	header.Set("X-Served-By", h.servedBy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	h.route(seen, r)
	if r.URL.Path == "/health" && seen.status == http.StatusOK {
		return // the load balancer asks every few seconds
	}
	h.log.write("info", "request", fields{
		"method": r.Method, "path": r.URL.Path, "status": seen.status,
		"milliseconds": time.Since(began).Milliseconds(), "trace": r.Header.Get("X-Amzn-Trace-Id"),
	})
}

func (h *handler) route(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	switch path := r.URL.Path; {
	case path == "/health":
		h.methods(w, r, map[string]http.HandlerFunc{"GET": h.health})
	case path == "/":
		h.methods(w, r, map[string]http.HandlerFunc{"GET": h.people, "POST": h.add})
	case path == "/users":
		h.methods(w, r, map[string]http.HandlerFunc{"GET": h.list, "POST": h.create})
	case strings.HasPrefix(path, "/users/"):
		id, err := strconv.ParseInt(strings.TrimPrefix(path, "/users/"), 10, 64)
		if err != nil {
			h.fail(w, errNotFound)
			return
		}
		h.methods(w, r, map[string]http.HandlerFunc{
			"GET":    func(w http.ResponseWriter, r *http.Request) { h.read(w, r, id) },
			"PUT":    func(w http.ResponseWriter, r *http.Request) { h.update(w, r, id) },
			"DELETE": func(w http.ResponseWriter, r *http.Request) { h.remove(w, r, id) },
		})
	default:
		answer(w, http.StatusNotFound, fields{"error": "there is no such page"})
	}
}

func (h *handler) methods(w http.ResponseWriter, r *http.Request, known map[string]http.HandlerFunc) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if call, found := known[method]; found {
		if method != http.MethodGet && fromElsewhere(r) {
			answer(w, http.StatusForbidden, fields{"error": "this request comes from a page of another site"})
			return
		}
		call(w, r)
		return
	}
	for name := range known {
		w.Header().Add("Allow", name)
	}
	answer(w, http.StatusMethodNotAllowed, fields{"error": r.Method + " is not possible here"})
}

// fromElsewhere tells whether a page of another site sent the request, which must not write here. Browsers say where a request that
// writes comes from, whatever its method and its kind of body; programs say nothing.
func fromElsewhere(r *http.Request) bool {
	from := r.Header.Get("Origin")
	return from != "" && from != "http://"+r.Host && from != "https://"+r.Host
}

func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	if err := h.users.ping(r.Context()); err != nil {
		h.log.write("error", "the database does not answer", fields{"error": err.Error()})
		answer(w, http.StatusServiceUnavailable, fields{"status": "the database does not answer"})
		return
	}
	answer(w, http.StatusOK, fields{"status": "ok"})
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	found, err := h.users.list(r.Context())
	h.tell(w, http.StatusOK, found, err)
}

func (h *handler) read(w http.ResponseWriter, r *http.Request, id int64) {
	found, err := h.users.read(r.Context(), id)
	h.tell(w, http.StatusOK, found, err)
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) {
	wanted, err := userFrom(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	made, err := h.users.create(r.Context(), wanted)
	if err == nil {
		w.Header().Set("Location", "/users/"+strconv.FormatInt(made.ID, 10))
	}
	h.tell(w, http.StatusCreated, made, err)
}

func (h *handler) update(w http.ResponseWriter, r *http.Request, id int64) {
	wanted, err := userFrom(r)
	if err != nil {
		h.fail(w, err)
		return
	}
	wanted.ID = id
	changed, err := h.users.update(r.Context(), wanted)
	h.tell(w, http.StatusOK, changed, err)
}

func (h *handler) remove(w http.ResponseWriter, r *http.Request, id int64) {
	if err := h.users.remove(r.Context(), id); err != nil {
		h.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// people is the page. Its form posts back to it.
func (h *handler) people(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, http.StatusOK, "", user{})
}

func (h *handler) show(w http.ResponseWriter, r *http.Request, status int, wrong string, entered user) {
	found, err := h.users.list(r.Context())
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	page.Execute(w, fields{"Users": found, "ServedBy": h.servedBy, "Wrong": wrong, "Entered": entered})
}

func (h *handler) add(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	entered := user{Name: r.PostFormValue("name"), Department: r.PostFormValue("department"), Email: r.PostFormValue("email")}
	wanted, err := entered.checked()
	if err != nil {
		h.show(w, r, http.StatusBadRequest, err.Error(), entered)
		return
	}
	if _, err := h.users.create(r.Context(), wanted); err != nil {
		h.fail(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (h *handler) tell(w http.ResponseWriter, status int, content interface{}, err error) {
	if err != nil {
		h.fail(w, err)
		return
	}
	answer(w, status, content)
}

func (h *handler) fail(w http.ResponseWriter, err error) {
	var wrong problem
	switch {
	case errors.Is(err, errNotFound):
		answer(w, http.StatusNotFound, fields{"error": err.Error()})
	case errors.As(err, &wrong):
		answer(w, http.StatusBadRequest, fields{"error": wrong.Error()})
	default:
		h.log.write("error", "a request failed", fields{"error": err.Error()})
		answer(w, http.StatusInternalServerError, fields{"error": "this did not work; the log tells why"})
	}
}

func userFrom(r *http.Request) (user, error) {
	var wanted user
	decoder := json.NewDecoder(io.LimitReader(r.Body, largestBody))
	if err := decoder.Decode(&wanted); err != nil {
		return wanted, problem("the body is no JSON object with name, department and email")
	}
	return wanted.checked()
}

func answer(w http.ResponseWriter, status int, content interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(content)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
