#!/bin/sh
# Makes key.pem and cert.pem in the folder named by the first argument, unless they are there: a
# key and a certificate for this machine that whoever is to trust it is given as its own authority.
set -eu
cd "$1"
[ -s cert.pem ] && exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 \
  -subj "/CN=localhost" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
  -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
  -keyout key.pem -out cert.pem 2>openssl.log
chmod 600 key.pem
