"""HTTP for all rooms: headers, origins, proxies, encodings, compiled templates."""
