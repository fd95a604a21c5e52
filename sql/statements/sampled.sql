-- What is recorded of a request that is to be looked at again.
SELECT request.request, name, source_etag, request.settled_at, request.size_bytes,
       coalesce(destination_prefix, '') || name
FROM request
LEFT JOIN run ON run.run = request.run
LEFT JOIN attempt ON attempt.request = request.request AND attempt.run = request.run
WHERE request.request = ?1
