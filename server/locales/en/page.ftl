# The words of the pages.
#
# Where a text has { $recipient }, { $time } or { $brand }, the page sets the masked recipient, a time
# such as 4:32 or a relying party's name in its place. { $count } is a number and may be used for plural forms.

## The verification card

title = OTP Verification
error-prefix = Error:
submit = SUBMIT
resend = RESEND OTP
checking = CHECKING…
hint = Checked with the last digit
change = change
change-label = Change where the code goes

sending = Sending a code to { $recipient }
sending-again = Sending a new code to { $recipient }
sent = We sent a code to { $recipient }
sent-again = We sent a new code to { $recipient }
delivered = Your code has arrived at { $recipient }
undelivered = The code could not be delivered to { $recipient }. Is that right? Change it, or ask for another code.

time-left = Code expires in { $time }
resend-wait = New code possible in { $time }
resend-ready = Nothing arrived? Ask for a new code.
resend-over = No further codes can be sent
resend-by-email = Send it by e-mail instead
resend-by-sms = Send it by text message instead
five-minutes-left = Less than five minutes left
one-minute-left = One minute left
half-a-minute-left = 30 seconds left

incorrect =
    Incorrect OTP! { $count ->
        [0] No tries left.
        [one] { $count } try left.
       *[other] { $count } tries left.
    }
malformed = Invalid OTP: enter the { $count } digits we sent
too-short = Some digits are missing.
too-long = These are too many.
not-digits = Use digits only.
code-label = Enter the { $count }-digit code

approved = Login Success!
approved-body = { $recipient } is verified.
already-used = This OTP has already been used
already-used-body = Every code works once. Start again if you need another one.
expired = This OTP has expired
expired-body = Start again and we send you a new one.
too-many-attempts = Too many incorrect OTPs
too-many-attempts-body = For your safety this code no longer works. Start again for a new one.
canceled = Verification called off
canceled-body = This code no longer works. Start again for a new one.
failed = We could not reach you
failed-body = No message could be delivered. Check the address or number and start again.
start-again = START AGAIN

limit-sends = Too many codes were asked for. Try again in { $time }.
limit-checks = Too many codes were tried. Try again in { $time }.
too-early = A new code can be sent in { $time }.
unavailable = We cannot be reached for the moment. Nothing is lost: try again shortly.
internal = Something went wrong on our side. Try again.
not-understood = This request could not be read. Reload the page and try again.

## The first page

start-intro = We send you a one-time passcode. Where should it go?
start-fixed = We send a code to { $recipient }
channel-label = Send it by
channel-email = E-mail
channel-sms = Text message
email-label = E-mail address
country-label = Country
phone-label = Phone number
phone-hint = With or without the country code
send = SEND OTP

email-missing = Enter your e-mail address
email-invalid = Enter an e-mail address like name@example.com
phone-missing = Enter your phone number
phone-invalid = Enter a phone number, in digits
country-missing = Choose the country of this phone number
phone-too-short = This phone number has too few digits
phone-too-long = This phone number has too many digits
channel-unavailable = No code can be sent this way. Choose the other one.

## The way back to whoever asked for a verification

return-to = Return to { $brand }
cancel-and-return = Cancel and return to { $brand }
undelivered-there = The code could not be delivered to { $recipient }. Ask for another one, or return and correct it.
expired-there = Return to { $brand } and ask for a new one.
too-many-attempts-there = For your safety this code no longer works. Return to { $brand } for a new one.
canceled-there = This code no longer works. Return to { $brand } if you want to go on.
failed-there = No message could be delivered. Return to { $brand } and check the address or number.
support = Help from { $brand }

## Pages for faults

not-found = Nothing here
not-found-body = This page does not exist, or its code has expired.
slow-down = Too many requests
refused = We could not read that
not-embeddable = Not for this page
not-embeddable-body = No site has this key, or it does not list the address of the page around. Both stand in the configuration of this server.
away = Back in a moment
fault = Something went wrong

## The development inbox

inbox-title = Development inbox
inbox-intro = What this server would have sent, newest first. Nothing leaves the machine.
inbox-empty = Nothing yet. Ask for a code and it appears here.
inbox-age = { $time } ago
inbox-message = Whole message
inbox-refresh = Refresh

## The reference of the JSON API

reference-title = JSON API
reference-openapi = The same as OpenAPI 3.1
reference-example = Example
reference-asked = What it takes
reference-required = required
reference-answered = What it answers
reference-fields = Its fields
reference-refused = What it may answer otherwise
