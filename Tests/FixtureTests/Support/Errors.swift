import TestHarness

/// What an error says.
func text(_ error: (any Error)?) -> String { error.map { "\($0)" } ?? "no error" }

/// The one line of an expectation's failure that says what went wrong.
func problem(_ error: ExpectationFailure?) -> String { error?.problem ?? "no failure" }
