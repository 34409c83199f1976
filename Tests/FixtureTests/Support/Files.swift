import Glibc

func removeFile(_ path: String) { _ = unsafe unlink(path) }
