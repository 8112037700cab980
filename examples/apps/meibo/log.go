package main

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

type fields map[string]interface{}

// logger writes one JSON object a line, which CloudWatch Logs can be asked about field by field.
type logger struct {
	mutex sync.Mutex
	out   io.Writer
}

func newLogger(out io.Writer) *logger { return &logger{out: out} }

func (l *logger) write(level, message string, more fields) {
	entry := fields{"time": time.Now().UTC().Format(time.RFC3339Nano), "level": level, "message": message}
	for key, value := range more {
		entry[key] = value
	}
	line, err := json.Marshal(entry)
	if err != nil {
		line = []byte(`{"level":"error","message":"a log entry could not be written"}`)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.out.Write(append(line, '\n'))
}
