# Texts of the messages that carry a code. $brand is the site's name, $code the digits of the code.

email-subject = Your { $brand } code
email-intro = Your code for { $brand }:
email-use = Type it only on the page where you asked for it, not on one that somebody has sent you to. Tell nobody: no one from { $brand } will ever ask you for it.
email-ignore = If you did not ask for a code, you need not do anything: without it nothing happens.
# Before the link to the page on which nothing happens before a button is pressed; email-not-me-link is its text
# where the address is not shown.
email-not-me = To end this attempt and stop further codes that you did not ask for:
email-not-me-link = This wasn't me

validity-minutes =
    { $count ->
        [one] It is valid for one minute.
       *[other] It is valid for { $count } minutes.
    }
validity-seconds =
    { $count ->
        [one] It is valid for one second.
       *[other] It is valid for { $count } seconds.
    }

# Text message: the longest of these four that fits is sent. $validity is one of the sentences above.
sms-text = { $code } is your { $brand } code. { $validity } Tell nobody. Type it only where you asked for it.
sms-brief = { $code } is your { $brand } code. Tell nobody. Type it only where you asked for it.
sms-short = { $code } is your { $brand } code.
sms-bare = { $code } is your code.
